"""The pipeline's stages as functions of plain inputs; the components call them, and so may anybody else."""

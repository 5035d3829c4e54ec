"""What executes the compiled pipeline: kfp.local in a process of this machine, or the Kubeflow Pipelines API."""

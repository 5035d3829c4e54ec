"""`python -m mgrd` is the `mgrd` command."""

from mgrd.cli.main import main

if __name__ == "__main__":
    main(prog_name="mgrd")

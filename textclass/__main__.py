"""`python -m textclass`."""

from textclass.cli.main import main

if __name__ == "__main__":
    main()

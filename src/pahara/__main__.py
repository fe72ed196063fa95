"""`python -m pahara` is `pahara`."""

from pahara.cli import main

if __name__ == "__main__":
    main()

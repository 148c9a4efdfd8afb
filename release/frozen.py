"""The program's start in a binary that needs no Python: what PyInstaller freezes. Nothing else is done here."""

from jobsmgr.cli.main import main

if __name__ == "__main__":
    main()

"""Write the files: `python -m manifests.generate`. What is in them is worked out elsewhere."""

from __future__ import annotations

from manifests.generate.files import files, strays


def main() -> None:
    """Write each file, and remove those that are no longer made."""
    for path in strays():
        path.unlink()
    for path, text in files().items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


if __name__ == "__main__":
    main()

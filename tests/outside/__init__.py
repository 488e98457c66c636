"""What somebody adds from outside the package, one file each: the examples of CONTRIBUTING.md, which tests run."""

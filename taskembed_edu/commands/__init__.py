"""The subcommands of `taskembed_edu.cli`, one module each: `main(argv) -> exit code`, imported only when called."""

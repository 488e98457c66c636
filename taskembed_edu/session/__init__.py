"""A training run with its history. `Session` is the entry point; the other modules are its parts."""

from taskembed_edu.session.session import Session as Session

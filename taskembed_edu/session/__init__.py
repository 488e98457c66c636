"""Time: a run with its history. `Session` is the door; the rooms behind it are what it is made of."""

from taskembed_edu.session.session import Session as Session

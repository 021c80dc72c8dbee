"""What is wrong with bytes that were to be JT/T 808."""


class FrameRefused(ValueError):
    """A frame is damaged: its header cannot be trusted, so nobody is answered."""


class BodyRefused(ValueError):
    """The frame is whole, and its body is not what its message id promises: answered with result 2 (消息有误)."""

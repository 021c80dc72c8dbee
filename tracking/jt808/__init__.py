"""JT/T 808-2013 and -2019: messages between terminals (终端) and the platform (平台), as bytes and as values.

转义 escape · 校验码 checksum · 消息体属性 attributes · 流水号 serial · 分包 subpackage. Pure and bounded: nothing here
reads a socket, a clock or a table. :mod:`~tracking.jt808.frames` cuts and checks, :mod:`~tracking.jt808.subpackages`
merges, :mod:`~tracking.jt808.uplink` reads what terminals say, :mod:`~tracking.jt808.downlink` writes what they are
told.
"""

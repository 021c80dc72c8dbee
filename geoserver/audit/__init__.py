"""审计 audit: who did what, when and from where, in a log that is only ever appended to and whose rows form a chain.

The tables, the one function that appends, and the triggers that keep edits by whatever road are ``layers/audit.sql``.

=====================  ================================================================
:mod:`.entries`        append an entry, read entries
:mod:`.chain`          what is hashed, and what a broken chain says (values only)
:mod:`.sealing`        link the entries that wait, every second in the worker
:mod:`.verification`   verify the chain of a database, and that its triggers are there
:mod:`.files`          the chain as a file that can be verified without the database
:mod:`.heads`          the chain's head, to be kept where the database's owner is not
:mod:`.timestamps`     RFC 3161 timestamps of a head
:mod:`.pruning`        remove what is older than it must be kept
:mod:`.routes`         ``GET /audit``
=====================  ================================================================
"""

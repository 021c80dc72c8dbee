"""变更订阅 the change feed: what was added, changed and deleted in a layer since a reader's last look.

Exact under concurrent commits: a position is a snapshot of the database (``pg_snapshot``), and what has become visible
since is just what that snapshot did not see. Nothing can ever be inserted behind it, and no transaction holds it back.
"""

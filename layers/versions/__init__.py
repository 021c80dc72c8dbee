"""The states that layers were in: 要素历史 history of one feature, 差异 difference between two instants, 命名版本 named
versions, and 导入 imports that can be taken back (撤销 undo).

Every edit keeps the state before it (``layers/row_changes.sql``); nothing here copies a layer.
"""

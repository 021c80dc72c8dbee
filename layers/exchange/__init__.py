"""交换 exchange: what other systems take from the city, and what the city shows of theirs.

元数据 records of the catalogue · 变更 changes of a layer in order · 代理 layers of other servers.
"""

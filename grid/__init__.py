"""网格化管理 + 数字城管: grids, workers, components, events, cases and their clock (GB/T 30428, CJ/T 213–215 era).

网格 grid · 单元网格 unit grid cell · 部件 component · 事件 event · 案卷 case · 网格员/监督员 grid worker ·
专业部门 department · 处置时限 time limit · 走访 visit
"""

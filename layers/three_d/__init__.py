"""City models and point clouds: what surveys in three dimensions say of buildings and of the ground.

城市模型 city model · 点云 point cloud · 数字表面模型 DSM · 数字地面模型 DTM · 体积 volume · 檐口与屋顶 roof.

CityJSON and CityGML become footprints with heights, as :mod:`layers.importing` takes them into any layer; LAS and LAZ
become the surface (``dsm``) and the ground (``dem``), of which ``buildings-3d`` has heights that nothing else tells.
"""

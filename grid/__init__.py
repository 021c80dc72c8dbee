"""网格化管理 social grid and 数字城管 digital urban management, as processes on the shared layers."""

"""Project 2: service and management in grids (网格化服务管理): grid findings, and who serves down in grids."""

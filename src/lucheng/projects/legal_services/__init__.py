"""Project 8: public legal services (公共法律服务): where they are found, who is there when, who advises a village."""

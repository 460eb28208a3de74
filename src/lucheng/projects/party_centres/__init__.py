"""Project 1: party-service centres (党群服务中心), where they stand and what they do for people."""

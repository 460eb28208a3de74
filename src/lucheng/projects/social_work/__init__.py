"""Project 9: community, social organisations and social workers (三社联动), with volunteers and community posts."""

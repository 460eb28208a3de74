"""Project 3: safe gacha, villages and communities (平安嘎查村社区创建).

What a committee says of its place, with evidence and a review; what is put in order, by whom and until when. Nothing
here counts a case, least of all a complaint.
"""

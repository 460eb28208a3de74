"""Project 5: building-chief police officers (楼长民警), whose buildings they are and what they find there."""

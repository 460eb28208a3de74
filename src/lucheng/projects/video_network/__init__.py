"""Project 6: the video network (雪亮工程) as property under the law: what stands where, by what right, and whether it
works. Never a picture."""

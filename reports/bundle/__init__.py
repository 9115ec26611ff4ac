"""What a report rests on, in one file, and its figures made again of it (`dala verify`)."""

"""规划业务会议 meetings: an agenda of red lines, opinions on each, minutes."""

"""消息 notices: who is told of what happens to a case, by text message and by webhook."""

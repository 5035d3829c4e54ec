"""The HTTP door: the part of the OpenAI chat API that one question about one clip needs."""

"""The media gateway process, its control protocol and its client."""

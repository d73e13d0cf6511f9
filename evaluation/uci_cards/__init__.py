"""Credit-card months as a bank publishes them in studies: read, turned into events, streamed, learned and scored."""

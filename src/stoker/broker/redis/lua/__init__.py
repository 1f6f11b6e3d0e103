"""The scripts, one file an operation, and ``parts`` that several of them are composed of."""

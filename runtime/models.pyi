"""What `make generate` writes into `models/`: the schemas of the contract."""

"""The fuzzer as another team uses it: against servers and documents that are not this project's."""

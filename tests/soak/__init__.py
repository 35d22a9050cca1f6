"""The whole system under load while it is broken at random: `make soak`, docs/guides/soak.md."""

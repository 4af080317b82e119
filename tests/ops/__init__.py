"""Files in deploy/, read by the programs that they are for: Prometheus, Grafana, Compose."""

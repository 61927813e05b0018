"""Timed workloads, each in a process of its own, as CPU seconds beside a calibration that makes them comparable."""

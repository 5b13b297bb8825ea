"""The catalogue of all metrics. Nothing is measured that does not stand here.

A test compares this table with the names used in the code and with
`docs/subsystems/metrics.md`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TypeVar

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.metrics import MetricWrapperBase

Metric = TypeVar("Metric", bound=MetricWrapperBase)

REGISTRY = CollectorRegistry()
_SECONDS = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 0.7, 1.0, 2.0)
_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512)
LABELS_KEPT_MAX = 1_000


def _at_hand(metric: Metric) -> Metric:
    """The same, and what stands behind its labels is found by a plain look-up.

    The library builds a tuple of texts under a lock for each, ten times a scan.
    """
    setattr(metric, "labels", lru_cache(LABELS_KEPT_MAX)(metric.labels))  # noqa: B010
    return metric


scans_total = _at_hand(
    Counter(
        "ops_scans_total", "Scans answered", ["verdict", "reason"], registry=REGISTRY
    )
)
scan_seconds = _at_hand(
    Histogram(
        "ops_scan_seconds",
        "Scan, from queue to answer",
        ["lane"],
        buckets=_SECONDS,
        registry=REGISTRY,
    )
)
batch_scans = Histogram(
    "ops_batch_scans", "Scans in a batch", buckets=_SIZES, registry=REGISTRY
)
step_seconds = _at_hand(
    Histogram(
        "ops_step_seconds",
        "One step of a batch (facts, commit, verify, finish, journal, claim, look)",
        ["step"],
        buckets=_SECONDS,
        registry=REGISTRY,
    )
)
store_failures_total = Counter(
    "ops_store_failures_total",
    "Calls to a store that failed or timed out",
    ["store"],
    registry=REGISTRY,
)
log_lines_lost_total = Counter(
    "ops_log_lines_lost_total",
    "Log lines that could not be written",
    registry=REGISTRY,
)
batches_bisected_total = Counter(
    "ops_batches_bisected_total",
    "Batches split for a poisoned record",
    registry=REGISTRY,
)
unknown_fields_total = Counter(
    "ops_unknown_fields_total",
    "Unknown fields ignored in scan bodies",
    registry=REGISTRY,
)
mode = _at_hand(
    Gauge("ops_mode", "1 for the mode this process is in", ["mode"], registry=REGISTRY)
)
requests_total = _at_hand(
    Counter(
        "ops_requests_total", "HTTP requests", ["method", "status"], registry=REGISTRY
    )
)
sockets = Gauge("ops_sockets", "Open live sockets", registry=REGISTRY)
socket_frames_total = Counter(
    "ops_socket_frames_total", "Frames sent to live sockets", ["op"], registry=REGISTRY
)
socket_closes_total = Counter(
    "ops_socket_closes_total", "Live sockets closed", ["code"], registry=REGISTRY
)
socket_refusals_total = Counter(
    "ops_socket_refusals_total",
    "Handshakes answered 503: too many at once",
    registry=REGISTRY,
)
outbox_rows = Gauge(
    "ops_outbox_rows", "Changes waiting for the cache", registry=REGISTRY
)
relay_behind_seconds = Gauge(
    "ops_relay_behind_seconds",
    "How long the oldest change has waited for the cache",
    registry=REGISTRY,
)
relay_lag_seconds = Histogram(
    "ops_relay_lag_seconds",
    "From a change in PostgreSQL to the cache",
    buckets=_SECONDS,
    registry=REGISTRY,
)
drained_facts_total = Counter(
    "ops_drained_facts_total", "Facts replayed into the cache", registry=REGISTRY
)
settled_conflicts_total = Counter(
    "ops_settled_conflicts_total",
    "Conflicts whose entry became a pass when the exit was uploaded",
    registry=REGISTRY,
)
assumed_exits_total = Counter(
    "ops_assumed_exits_total",
    "Presences ended that nobody scanned out",
    registry=REGISTRY,
)
rebuilds_total = Counter(
    "ops_cache_rebuilds_total", "Rebuilds of an event's cache", registry=REGISTRY
)
effects_lag_seconds = Histogram(
    "ops_effects_lag_seconds",
    "From a fact to what it does in the CRM",
    buckets=_SECONDS,
    registry=REGISTRY,
)
effects_failed_total = Counter(
    "ops_effects_failed_total", "Tickets whose effects were refused", registry=REGISTRY
)
alerts_total = Counter(
    "ops_alerts_total", "Alerts raised for people", ["rule"], registry=REGISTRY
)
jobs_total = Counter(
    "ops_jobs_total", "Jobs of the schedule", ["kind", "result"], registry=REGISTRY
)
job_late_seconds = Histogram(
    "ops_job_late_seconds",
    "From when a job was due to its end",
    buckets=_SECONDS,
    registry=REGISTRY,
)
merged_lines_total = Counter(
    "ops_merged_lines_total", "Lines of journals merged", registry=REGISTRY
)
cache_differences = Gauge(
    "ops_cache_differences",
    "Counters and sampled entries of the cache that are not the record's",
    registry=REGISTRY,
)
reconciled_total = Counter(
    "ops_reconciled_total", "Differences that were repaired", registry=REGISTRY
)

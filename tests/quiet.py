"""No log lines of the operator, where millions of its decisions are run. Nothing is tested here."""

import logging

import structlog


def quiet() -> None:
    """Log nothing below CRITICAL, until `structlog.reset_defaults()`."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))

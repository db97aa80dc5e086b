"""Auditing a model: every convolution and pooling of an ONNX file run against the exact operator."""

from symconv.auditing.model import audit
from symconv.auditing.results import Audit, AuditedNode

__all__ = ["Audit", "AuditedNode", "audit"]

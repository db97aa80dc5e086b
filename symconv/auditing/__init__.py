"""Auditing a model: each convolution and pooling of an ONNX file against the exact operator."""

from symconv.auditing.model import audit
from symconv.auditing.results import Audit, AuditedNode

__all__ = ["Audit", "AuditedNode", "audit"]

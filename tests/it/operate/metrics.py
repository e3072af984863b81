"""Reads metrics as Prometheus does, and prints each sample as a line of JSON."""

import json
import sys

from prometheus_client.parser import text_fd_to_metric_families

with open(sys.argv[1]) as text:
    for family in text_fd_to_metric_families(text):
        assert family.type == "gauge" and family.documentation, family
        assert family.samples, family
        for sample in family.samples:
            assert sample.timestamp is None, sample
            print(json.dumps({"name": sample.name, "value": sample.value, **sample.labels}))

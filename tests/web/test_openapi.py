"""The description of the API says what the API does: generated calls find no answer that it leaves out."""

from __future__ import annotations

import hypothesis
import pytest
import schemathesis
import time_machine
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from booking_service.domain.bookings import Role
from booking_service.services.tokens import create_token
from booking_service.web.limits import limiter
from tests.citizens import NOW

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
CALLS = hypothesis.settings(
    max_examples=40, deadline=None, database=None, suppress_health_check=list(hypothesis.HealthCheck)
)


@pytest.mark.parametrize("mode", GenerationMode)
def test_no_call_leads_to_an_answer_that_is_not_described(loaded, mode):
    schema = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", loaded)
    token = create_token(role=Role.ADMIN, site=None, unit=None, now=NOW)
    for found in schema.get_all_operations():
        operation = found.ok()
        if not (operation.body or operation.query or operation.path_parameters):
            continue  # there is nothing to be generated

        @CALLS
        @hypothesis.given(case=operation.as_strategy(generation_mode=mode))
        def call(case):
            limiter.reset()
            case.call_and_validate(checks=CHECKS, headers={"Authorization": f"Bearer {token}"})

        with time_machine.travel(NOW, tick=False):
            call()


def test_errors_are_described_in_the_media_type_that_they_have(standing):
    document = standing.test_client().get("/api/v1/openapi.json").json
    for name, answer in document["components"]["responses"].items():
        assert list(answer["content"]) == ["application/problem+json"], name


def test_the_token_is_described(standing):
    document = standing.test_client().get("/api/v1/openapi.json").json
    assert document["paths"]["/api/v1/requests/{reference}"]["get"]["security"] == [{"token": []}]
    assert document["components"]["securitySchemes"] == {"token": {"type": "http", "scheme": "bearer"}}

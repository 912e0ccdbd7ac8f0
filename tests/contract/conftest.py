"""What contract tests share: the API on a port, with what it needs."""

from tests.fakes.small_city import city_carriers, small_city, whole_city

__all__ = ["city_carriers", "small_city", "whole_city"]

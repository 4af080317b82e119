{
    "name": "Gatehouse: endpoints of OCA's fastapi for the benchmarks",
    "summary": "The jobs that `make bench` measures, as an integrator would write them with OCA's fastapi",
    "version": "19.0.1.0.0",
    "author": "Gatehouse",
    "license": "LGPL-3",
    "category": "Hidden",
    "depends": ["fastapi"],
    "data": ["data/endpoint.xml"],
}

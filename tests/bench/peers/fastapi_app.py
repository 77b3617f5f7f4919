"""The peer FastAPI: SQLAlchemy's ORM, pydantic response models, plain endpoints, as its tutorial teaches them."""
import csv
import datetime
import decimal
import io
from typing import List, Optional

from fastapi import Depends, FastAPI, Header, HTTPException
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from sqlalchemy import select
from sqlalchemy.orm import selectinload

from models import Employee, Salary, Session, claims, engine

app = FastAPI()


class SalaryOut(BaseModel):
    id: int
    salary: int
    date: datetime.date

    class Config:
        orm_mode = True


class EmployeeOut(BaseModel):
    eid: int
    name: str
    gender: str
    hire_date: datetime.date
    department: str
    division: str
    job_code: str
    manager: Optional[str]
    performance: str
    annual_benefits_value: decimal.Decimal

    class Config:
        orm_mode = True


class EmployeeWithSalaries(EmployeeOut):
    salary_history: List[SalaryOut]


def database():
    session = Session()
    try:
        yield session
    finally:
        session.close()


def user(authorization: str = Header(None)):
    found = claims(authorization)
    if found is None:
        raise HTTPException(401)
    return found


@app.get("/rest/v1/employee/{eid}", response_model=EmployeeOut)
def by_key(eid: int, session=Depends(database), _=Depends(user)):
    employee = session.get(Employee, eid)
    if employee is None:
        raise HTTPException(404)
    return employee


@app.get("/rest/v1/employees", response_model=List[EmployeeOut])
def page(division: str, session=Depends(database), _=Depends(user)):
    return (session.query(Employee).filter(Employee.division == "Division " + division)
            .order_by(Employee.eid.desc()).limit(25).all())


@app.get("/rest/v1/nested", response_model=List[EmployeeWithSalaries])
def nested(session=Depends(database), _=Depends(user)):
    return (session.query(Employee).options(selectinload(Employee.salary_history))
            .order_by(Employee.eid).limit(25).offset(1000).all())


@app.get("/rest/v1/export.csv")
def export_csv(_=Depends(user)):
    """Not the tutorial's way, which holds a million objects, but written by hand to stream."""
    query = select(Salary.id, Salary.eid, Salary.salary, Salary.date).order_by(Salary.id)

    def chunks():
        buffer = io.StringIO()
        writer = csv.writer(buffer)
        with engine.connect().execution_options(stream_results=True) as connection:
            for rows in connection.execute(query).partitions(5000):
                writer.writerows(rows)
                yield buffer.getvalue()
                buffer.seek(0)
                buffer.truncate()

    return StreamingResponse(chunks(), media_type="text/csv")

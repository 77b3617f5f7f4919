"""The benchmark's two tables as SQLAlchemy maps them, and the check of a request's token."""
import os

import jwt
from sqlalchemy import Column, Date, ForeignKey, Integer, Numeric, String, create_engine
from sqlalchemy.engine import URL
from sqlalchemy.orm import declarative_base, relationship, sessionmaker

with open(os.environ["BENCH_SECRET_FILE"], encoding="ascii") as file:
    SECRET = file.read().rstrip("\n")

engine = create_engine(
    URL.create("mysql+mysqldb", os.environ["BENCH_DB_USER"], os.environ["BENCH_DB_PASSWORD"], database="bench",
               query={"unix_socket": os.environ["BENCH_DB_SOCKET"], "charset": "utf8mb4"}),
    pool_size=8, max_overflow=10)
Session = sessionmaker(bind=engine)
Base = declarative_base()


class Employee(Base):
    __tablename__ = "employees"
    eid = Column(Integer, primary_key=True)
    name = Column(String(60))
    gender = Column(String(1))
    hire_date = Column(Date)
    department = Column(String(40))
    division = Column(String(40))
    job_code = Column(String(12))
    manager = Column(String(60))
    performance = Column(String(20))
    annual_benefits_value = Column(Numeric(10, 2))
    salary_history = relationship("Salary", order_by="Salary.id")


class Salary(Base):
    __tablename__ = "salary_history"
    id = Column(Integer, primary_key=True)
    eid = Column(Integer, ForeignKey("employees.eid"))
    salary = Column(Integer)
    date = Column(Date)


def claims(authorization):
    """What the bearer token says, or None when it is missing, forged or expired."""
    if not authorization or not authorization.startswith("Bearer "):
        return None
    try:
        return jwt.decode(authorization[7:], SECRET, algorithms=["HS256"], options={"require": ["exp"]})
    except jwt.PyJWTError:
        return None

"""What an account keeps about its use: credits of warehouses, statements that ran, log-ins and sessions."""

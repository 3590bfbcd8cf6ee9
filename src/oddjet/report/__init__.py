"""What people read: averages, tables in Markdown, figures and pages, made from the tables of results alone."""

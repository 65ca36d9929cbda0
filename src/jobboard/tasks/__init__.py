"""What a person means to do: their own to-dos, alone or about an application or a job."""

namespace Holdfast.Files;

/// <summary>What a file-tree operation answers: a value, or the reason why there is none.</summary>
/// <remarks>A miss is the commonest answer of a file system; an exception for it would cost thousands of times as much.</remarks>
public readonly struct Result<T>
{
    private readonly T value;

    internal Result(T value, Errno error)
    {
        this.value = value;
        Error = error;
    }

    /// <summary>Why there is no value; <see cref="Errno.None"/> when there is one.</summary>
    public Errno Error { get; }

    /// <summary>Whether there is a value.</summary>
    public bool Ok => Error == Errno.None;

    /// <summary>The value; it is a bug to ask for it when there is none.</summary>
    public T Value => Ok ? value : throw new InvalidOperationException($"no value: {Error}");

    /// <summary>Success.</summary>
    public static implicit operator Result<T>(T value) => new(value, Errno.None);

    /// <summary>Failure.</summary>
    public static implicit operator Result<T>(Errno error) => new(default!, error);

    /// <summary>The value, or false.</summary>
    public bool TryGetValue(out T result)
    {
        result = value;
        return Ok;
    }
}

/// <summary>Makes results of types that an implicit conversion cannot start from (interfaces).</summary>
public static class Result
{
    /// <summary>Success.</summary>
    public static Result<T> From<T>(T value) => new(value, Errno.None);
}

using Holdfast.Log;

namespace Holdfast.Storage;

/// <summary>A store refused or did not answer.</summary>
public sealed class ObjectStoreException : HoldfastException
{
    /// <summary>Makes the error of one failed request.</summary>
    /// <param name="message">The object or store, and what is wrong.</param>
    /// <param name="isRetriable">Whether the same request may succeed later.</param>
    /// <param name="hint">What the user can do.</param>
    /// <param name="inner">The failure below.</param>
    /// <remarks>Of kind Failed and not retriable, it says that bytes cannot be read any more: a refusal has a kind of its own.</remarks>
    public ObjectStoreException(string message, bool isRetriable, string? hint = null, Exception? inner = null)
        : this((inner as HoldfastException)?.Kind ?? ErrorKind.Failed, message, isRetriable, hint, inner)
    {
    }

    /// <summary>The same of a kind: no such store, credentials that it does not know, what it does not allow.</summary>
    public ObjectStoreException(ErrorKind kind, string message, bool isRetriable, string? hint = null, Exception? inner = null)
        : base(kind, message, hint, inner) =>
        IsRetriable = isRetriable;

    /// <summary>Whether the same request may succeed later.</summary>
    public bool IsRetriable { get; }
}

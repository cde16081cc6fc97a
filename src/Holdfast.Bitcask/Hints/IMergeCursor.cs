namespace Holdfast.Bitcask.Hints;

/// <summary>A place in one of the sorted inputs of a <see cref="LoserTree{TCursor}"/>.</summary>
/// <typeparam name="TSelf">The cursor itself.</typeparam>
internal interface IMergeCursor<TSelf>
    where TSelf : struct
{
    /// <summary>Whether what it stands at goes before what the other stands at. One at its end goes last.</summary>
    bool IsBefore(in TSelf other);
}
